"""feedback-friction as an environment of verifiers."""

from friction_env.env import FrictionEnv
from friction_env.taskset import FrictionTaskset

__all__ = ["FrictionEnv", "FrictionTaskset"]
