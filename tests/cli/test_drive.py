"""After asynchronous work, Ctrl-C is what it was before it."""

import asyncio
import signal

from feedback_friction.cli.drive import in_loop


def test_work_that_ended_leaves_no_handler_of_signals_behind(tmp_path):
    async def work():
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, lambda: None)

    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    in_loop(work, "again", tmp_path)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
