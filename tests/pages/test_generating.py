"""Generating outputs from the outputs screen: its cost, progress, faults, and what is held back."""

from collections.abc import Iterator

import pytest

from optimizer.domain import Batch, Connection, Prompt, PromptId, Study
from optimizer.llm import lane
from tests.fakes.openai_server import FakeServer, Fault
from tests.pages.visitor import Visitor

SCREEN = "host/outputs.py"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "FIRST_WAIT_S", 0.01)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as running:
        yield running


@pytest.fixture
def live(visitor: Visitor, server: FakeServer) -> Visitor:
    """Somebody with a connection at hand."""
    visitor.services.connections.put(
        Connection("Fake", server.url, "fake-model", max_tokens=100, input_price=1.0, output_price=2.0)
    )
    return visitor


def open_tab(visitor: Visitor, study: Study) -> None:
    visitor.go(SCREEN, study)
    visitor.at.session_state["outputs_tab"] = "Generate"
    visitor.run()


def generate(visitor: Visitor, study: Study) -> None:
    """Press the button and wait for the end."""
    visitor.click("generate")
    assert visitor.services.generation.jobs(study.id)[0].wait(20)
    visitor.run()


def test_without_a_connection_the_way_to_one_is_shown(visitor: Visitor) -> None:
    open_tab(visitor, visitor.study(["Terse"], ["one"]))
    assert "connect to a model first" in visitor.shown()


def test_the_button_says_the_cost_and_nothing_is_called_before_it(live: Visitor, server: FakeServer) -> None:
    study = live.study(["Terse", "Warm"], ["one", "two", "three"])
    open_tab(live, study)
    told = live.at.button(key="generate").label.replace("\\", "")
    assert told.startswith("Generate 6 outputs, about ")
    assert told.endswith("about $0.001")
    assert server.calls == 0
    live.at.number_input(key="generate_samples").set_value(2)
    live.run()
    assert live.at.button(key="generate").label.startswith("Generate 12 outputs")
    assert server.calls == 0
    generate(live, study)
    assert server.answered == 12
    assert "Every output is there." in live.shown()
    assert "Done: 12 of 12 outputs by Fake" in live.shown().replace("**", "")


def test_what_it_took_and_how_steady_each_prompt_is(live: Visitor, server: FakeServer) -> None:
    said = iter(range(100))
    server.reply = lambda body: (
        "Always the very same words." if "Steady" in str(body) else f"{next(said)} " * 5 + str(body)[-20:]
    )
    study = live.study(["Steady", "Wild"], ["one", "two"])
    open_tab(live, study)
    live.at.number_input(key="generate_samples").set_value(3)
    live.run()
    generate(live, study)
    table = live.at.table[0].value
    assert list(table["Calls"]) == ["6", "6"]
    assert ":green-badge[steady] 0.00, length ±0%" in table.loc["Steady", "Repeats"]
    assert "badge" in table.loc["Wild", "Repeats"]
    assert "0.00," not in table.loc["Wild", "Repeats"]
    tokens = sum(int(number.replace(",", "")) for number in table["Tokens"])
    assert f"12 calls, {tokens:,} tokens, $" in live.shown()


def test_a_budget_is_kept_and_a_second_press_goes_on(live: Visitor, server: FakeServer) -> None:
    study = live.study(["Terse", "Warm"], ["one", "two"])
    open_tab(live, study)
    live.at.number_input(key="generate_calls").set_value(3)
    live.run()
    generate(live, study)
    assert server.answered == 3
    assert "Stopped by the budget" in live.shown()
    assert "3 of 3 calls" in live.at.warning[0].value
    assert live.at.button(key="generate").label.startswith("Generate 1 output,")
    assert "Generate again to go on" in live.shown()
    generate(live, study)
    assert server.answered == 4


def test_outputs_that_cannot_be_shown_are_not_called_complete(live: Visitor, server: FakeServer) -> None:
    server.faults.extend([Fault.LENGTH, Fault.EMPTY])
    study = live.study(["Terse"], ["one", "two", "three"])
    open_tab(live, study)
    generate(live, study)
    assert "Every output is there." not in live.shown()
    assert "2 outputs came but cannot be shown." in live.at.warning[0].value
    live.at.toggle(key="generate_retry").set_value(True)
    live.run()
    assert live.at.button(key="generate").label.startswith("Generate 2 outputs")
    generate(live, study)
    assert "Every output is there." in live.shown()


def test_a_budget_in_money_needs_prices(live: Visitor, server: FakeServer) -> None:
    live.services.connections.put(Connection("Free", server.url, "fake-model"))
    study = live.study(["Terse"], ["one"])
    open_tab(live, study)
    live.at.selectbox(key="generate_with").set_value("Free")
    live.at.number_input(key="generate_money").set_value(1.0)
    live.run()
    assert "needs prices" in live.shown()
    assert "generate" not in [button.key for button in live.at.button]


def test_a_connection_that_fails_stops_the_job_and_says_why(live: Visitor, server: FakeServer) -> None:
    server.key = "sk-the-right-one"
    study = live.study(["Terse"], ["one", "two"])
    open_tab(live, study)
    generate(live, study)
    assert "Stopped" in live.shown()
    assert any("wants a key" in error.value for error in live.at.error)


def test_errors_are_counted_and_the_last_one_is_told(live: Visitor, server: FakeServer) -> None:
    server.faults.append(Fault.TOO_LONG)
    study = live.study(["Terse"], ["one", "two"])
    open_tab(live, study)
    generate(live, study)
    assert "1 failed" in live.shown()
    assert live.at.warning[0].value
    assert "Generate 1 output" in live.at.button(key="generate").label


def test_a_job_is_cancelled_and_survives_a_change_of_screen(live: Visitor, server: FakeServer) -> None:
    server.latency_s = 0.1
    study = live.study(["Terse", "Warm"], [f"row {number}" for number in range(40)])
    open_tab(live, study)
    live.click("generate")
    (job,) = live.services.generation.jobs(study.id)
    at = live.go("host/prompts.py")
    assert any(link.proto.label == "Outputs are being generated" for link in at.get("page_link"))
    before = job.progress().done
    open_tab(live, study)
    live.click(f"cancel_{job.id}")
    assert job.wait(20)
    live.run()
    assert before < job.progress().done < 80
    assert "Cancelled" in live.shown()
    assert len(live.services.store.output_index(study.id)) == job.progress().done == server.answered


def test_a_template_that_does_not_fit_is_told(live: Visitor) -> None:
    study = live.study(["Terse"], ["one"])
    live.services.store.add(Batch(prompts=[Prompt(PromptId("odd"), study.id, "Odd", "{{missing}}")]))
    open_tab(live, study)
    assert live.at.button(key="generate").label.startswith("Generate 1 output,")
    assert "1 output cannot be made" in live.at.warning[0].value
    assert "missing" in live.at.warning[0].value


def test_an_output_that_was_cut_off_is_held_back_until_it_is_released(
    live: Visitor, server: FakeServer
) -> None:
    server.faults.append(Fault.LENGTH)
    study = live.study(["Terse"], ["one"])
    open_tab(live, study)
    generate(live, study)
    assert "1 held back" in live.shown()
    live.at.session_state["outputs_tab"] = "Grid"
    live.run()
    assert "Held back from duels" in "\n".join(warning.value for warning in live.at.warning)
    (held,) = live.services.store.outputs(study.id)
    live.click(f"release_{held.id}")
    assert [output.usable for output in live.services.store.outputs(study.id)] == [False, True]


def test_the_connection_and_limits_of_live_duels_are_kept(live: Visitor, server: FakeServer) -> None:
    study = live.study(["Terse", "Warm"], ["one"])
    open_tab(live, study)
    prefix = f"ahead_{study.id}"
    live.at.selectbox(key=f"{prefix}_with").set_value("Fake")
    live.at.number_input(key=f"{prefix}_calls").set_value(50)
    live.at.number_input(key=f"{prefix}_money").set_value(0.25)
    live.run()
    live.click(f"{prefix}_save")
    settings = live.services.store.study(study.id).settings
    assert (settings.connection, settings.output_calls, settings.output_tokens) == ("Fake", 50, None)
    assert settings.output_money == 0.25
    assert server.calls == 0
    live.services.connections.remove("Fake")
    live.services.connections.put(Connection("Other", server.url, "fake-model"))
    live.run()
    assert "'Fake' is gone" in live.at.warning[0].value.replace("\\", "")
    live.at.selectbox(key=f"{prefix}_with").set_value("")
    live.run()
    live.click(f"{prefix}_save")
    assert live.services.store.study(study.id).settings.connection == ""
