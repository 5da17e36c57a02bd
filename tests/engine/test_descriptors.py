"""As many requests at once as there are descriptors for, and a word about it."""

import resource

import pytest

from feedback_friction.engine.run.launch import fitting


@pytest.fixture
def limits(monkeypatch):
    """The limits that the system claims to have; raising the soft one works up to the hard one."""
    now = {"limits": (1024, 4096)}
    monkeypatch.setattr(resource, "getrlimit", lambda what: now["limits"])
    monkeypatch.setattr(resource, "setrlimit", lambda what, new: now.update(limits=new))
    return now


def asked(limits, soft, hard, concurrency=256):
    limits["limits"] = (soft, hard)
    told = []
    return fitting(concurrency, told.append), told


def test_a_limit_that_is_wide_enough_stays(limits):
    assert asked(limits, 1024, 4096) == (256, [])
    assert limits["limits"] == (1024, 4096)


@pytest.mark.parametrize("hard", [4096, resource.RLIM_INFINITY])
def test_the_soft_limit_is_raised_as_far_as_needed(limits, hard):
    assert asked(limits, 256, hard) == (256, [])
    assert limits["limits"][0] >= 256


def test_where_the_hard_limit_is_too_low_fewer_requests_are_made_and_that_is_said(limits):
    fits, [line] = asked(limits, 256, 256)
    assert 1 <= fits < 256
    assert line.startswith(f"{fits} requests at once instead of 256")
    assert "ulimit -n" in line


def test_a_system_that_refuses_to_raise_it_is_believed(limits, monkeypatch):
    def refuse(what, new):
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    fits, told = asked(limits, 200, 4096)
    assert fits < 200
    assert len(told) == 1
