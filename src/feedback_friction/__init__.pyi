from feedback_friction.api import Run as Run
from feedback_friction.api import open as open
from feedback_friction.api import run as run
from feedback_friction.engine.models.base import Model as Model
from feedback_friction.engine.models.python_model import FunctionModel as FunctionModel
from feedback_friction.engine.run.python_objects import feedback as feedback
from feedback_friction.engine.run.python_objects import model as model
from feedback_friction.errors import FrictionError as FrictionError
from feedback_friction.errors import RunStoppedError as RunStoppedError
from feedback_friction.errors import UsageError as UsageError
from feedback_friction.grading.verdict import Outcome as Outcome
from feedback_friction.grading.verdict import Verdict as Verdict
from feedback_friction.problem import Problem as Problem
from feedback_friction.protocol.records import Attempt as Attempt
from feedback_friction.protocol.records import Completion as Completion
from feedback_friction.protocol.records import Generate as Generate
from feedback_friction.protocol.records import Message as Message
from feedback_friction.protocol.records import Reply as Reply
from feedback_friction.protocol.records import Usage as Usage
from feedback_friction.tasks.own_page import OwnTask

__version__: str
Task = OwnTask
