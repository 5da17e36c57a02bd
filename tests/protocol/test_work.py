"""What answers a generator's effects is the same for every driver."""

from feedback_friction.protocol.records import Grade, Mask
from feedback_friction.protocol.task import work_of
from toys import PROBLEM, TASK


def test_a_cut_off_reply_answers_only_what_it_states_in_full():
    text = "So the answer is 7"
    assert work_of(TASK, Grade(PROBLEM, text))().is_correct
    assert work_of(TASK, Grade(PROBLEM, text, cut_off=True))().prediction is None


def test_feedback_passes_the_task_s_mask():
    assert work_of(TASK, Mask(PROBLEM, "It is 7."))() == TASK.mask(PROBLEM, "It is 7.")
