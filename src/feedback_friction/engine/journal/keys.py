"""The identity of a model call: what is asked of whom, and with which seed.

Calls with the same key are one call: asked once, journaled once, shared by all conditions that ask
the same thing. Who asks (the condition, the replica, the time) is not part of the identity.
"""

from __future__ import annotations

import hashlib

from feedback_friction.protocol.records import Generate

Key = bytes


def call_key(model: str, request: Generate) -> Key:
    """A 16-byte BLAKE2b digest of the model's identity, the messages and all parameters.

    The identity is the model's name, and its options where it has any (``Model.identity``).
    Every part is preceded by its length, so that no two different calls give the same input. Of the
    sampling parameters all but the oldest are named, and only where they are set: a new one leaves
    the keys of earlier journals as they are.
    """
    given = request.decoding.given()
    top_p = given.pop("top_p", None)
    more = "".join(f"{name}={value!r}\0" for name, value in given.items())
    head = (
        f"{model}\0{request.temperature!r}\0{top_p!r}\0{request.max_tokens}\0"
        f"{request.seed}\0{request.n}\0{request.logprobs}\0{more}{len(request.messages)}\0"
    )
    digest = hashlib.blake2b(head.encode(), digest_size=16)
    for message in request.messages:
        content = message.content.encode("utf-8", "surrogatepass")
        digest.update(f"{message.role}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.digest()
