"""A simulated OpenAI-compatible server: finite slots, long tails, prefix cache, faults on demand.

It answers questions of this project's tasks, rightly or wrongly, as a deterministic function of the
messages (and of the seed, at a temperature above 0), so that two runs can be compared reply by
reply. Run it with ``python -m benchmarks.simserver``, or from Python:

    with simulated_server(Settings(slots=64, decode_seconds=0.02)) as server:
        subprocess.run(["friction", "run", ..., "--base-url", server.url])
        print(server.stats()["calls"])

| file        | what it holds                                                          |
|-------------|------------------------------------------------------------------------|
| settings.py | everything that can be set, at the start or while it runs               |
| wire.py     | HTTP/1.1, as much of it as a client of a model server uses              |
| server.py   | the routes, and one completion from its arrival to its reply            |
| writer.py   | what the model says                                                    |
| slots.py    | finite slots with a first-in first-out queue                            |
| prefix.py   | the prefix cache                                                       |
| ledger.py   | what was asked and answered                                            |
| launch.py   | starts the server as a process of its own, and talks to it              |
"""

from benchmarks.simserver.launch import SimulatedServer, simulated_server
from benchmarks.simserver.ledger import Entry
from benchmarks.simserver.settings import Settings

__all__ = ["Entry", "Settings", "SimulatedServer", "simulated_server"]
