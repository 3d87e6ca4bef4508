"""Reading in a real browser, with real keys, mouse and touch."""

from collections import Counter

import pytest
from page_browser import Reader, commits, records

with_all_phases = pytest.mark.parametrize("study", ["long"], indirect=True)


def test_keys_mouse_and_marks_reach_the_journal(study, open_reader):
    reader = open_reader()
    reader.go_to_case(1)
    assert "#" not in reader.page.url
    assert reader.sees_image
    start = reader.picture()

    reader.press("ArrowUp", "PageDown")
    assert reader.caption == "Slice 1 of 8"
    reader.page.mouse.move(*reader.at(0, 0))
    reader.page.mouse.wheel(0, -200)
    assert reader.caption == "Slice 3 of 8"
    reader.drag(100, -20)
    reader.drag(0, -60, button="right")
    reader.press("m")
    assert reader.caption == "Projection (MIP)"
    reader.drag(80, 40)
    reader.page.click("text=Front")
    assert reader.page.inner_text(".pane .top") == "S"
    reader.press("m", "w")
    assert (reader.picture() != start).any()

    reader.press("r", "2", "g", "4")
    reader.page.mouse.click(*reader.at(40, -60))
    reader.page.click("text=Too clean")
    reader.page.mouse.click(*reader.at(-70, 30))
    reader.press("Backspace")
    assert reader.page.locator(".mark").count() == 1
    reader.press("Enter")
    reader.wait_for_title("Case 2")

    answer = commits(study)[-1]
    assert (answer["answer"], answer["level"]) == ("G", 4)
    assert (answer["answers_given"], answer["levels_given"]) == (2, 2)
    assert [mark["reasons"] for mark in answer["marks"]] == [["Too clean"]]
    assert answer["seen"] is None
    changed = {
        name
        for record in records(study)
        if record.kind == "interaction"
        for _, name, _ in record.data.get("changes", [])
    }
    assert changed == {"slice", "low", "high", "zoom", "mip", "direction", "up"}


@with_all_phases
def test_practice_tells_the_right_answer_and_the_reading_does_not(study, open_reader):
    reader = open_reader().go_to_case(1, "Practice")
    reader.press("g", "3", "Enter")
    reader.page.locator("#verdict").wait_for()
    assert reader.page.inner_text("#verdict") in (
        "Correct. It is generated.",
        "Not quite. It is real.",
    )
    assert reader.sees_image
    reader.go_to_case(1).press("g", "3", "Enter")
    reader.wait_for_title("Case 2")
    assert not reader.page.locator("#verdict").is_visible()


def test_a_pause_blanks_the_image_and_stops_the_clock(study, open_reader):
    reader = open_reader().go_to_case(1)
    reader.press("p")
    reader.wait_for_title("Paused")
    assert not reader.picture().any()
    reader.page.wait_for_timeout(700)
    reader.press("p", "g", "3")
    assert reader.sees_image
    reader.press("Enter")
    reader.wait_for_title("Case 2")
    answer = commits(study)[-1]
    assert answer["total_ms"] - answer["active_ms"] > 600


@with_all_phases
def test_reloading_in_every_state_loses_and_doubles_nothing(study, open_reader):
    reader = open_reader()
    wanted = [
        "How good",
        "Taking part",
        "Image 1",
        "First, some",
        "Practice 1",
        "The reading",
        "Case 1",
    ]
    for title in wanted:
        reader.go_to(title)
        reader.page.reload()
        reader.wait_for_title("How good" if title == "How good" else title)
    reader.go_to_case(1)
    reader.page.reload()
    reader.wait_for_title("Case 1")
    assert "interrupted" in reader.page.inner_text("#body")
    reader.go_to_case(1).press("g", "4")
    reader.page.reload()
    reader.go_to_case(1).press("r", "5", "Enter")
    # The answer may still be on its way.
    reader.page.reload()
    reader.wait_for_title("Case 2")
    reader.go_to("Time for a break")
    reader.page.reload()
    reader.go_to("Finished")
    reader.page.reload()
    reader.wait_for_title("Finished")
    answers = commits(study)
    assert len(answers) == 14
    first = next(answer for answer in answers if answer["phase"] == "reading")
    assert (first["answer"], first["level"], first["restarted"]) == ("R", 5, True)


def test_a_case_and_the_next_can_be_read_without_a_connection(study, open_reader):
    reader = open_reader().go_to_case(1)
    reader.wait_for_volumes(2)
    reader.context.set_offline(True)
    reader.press("g", "4", "Enter")
    reader.wait_for_title("Case 2", sent=False)
    reader.page.locator("#connection").wait_for()
    reader.go_to_case(2).press("r", "2", "Enter")
    reader.wait_for_title("Your last answers have not arrived yet", sent=False)
    assert len([one for one in commits(study) if one["phase"] == "reading"]) == 0
    reader.context.set_offline(False)
    reader.wait_for_title("Case 3")
    assert not reader.page.locator("#connection").is_visible()
    answers = [one for one in commits(study) if one["phase"] == "reading"]
    assert [(one["answer"], one["level"]) for one in answers] == [("G", 4), ("R", 2)]


def test_answers_given_without_a_connection_survive_closing_the_tab(study, open_reader):
    reader = open_reader().go_to_case(1)
    reader.context.set_offline(True)
    reader.press("g", "4", "Enter")
    reader.wait_for_title("Case 2", sent=False)
    reader.page.close()
    reader.context.set_offline(False)
    again = Reader(reader.context, reader.link.partition("#")[0]).open()
    again.wait_for_title("Case 2")
    answers = [one for one in commits(study) if one["phase"] == "reading"]
    assert [(one["answer"], one["level"]) for one in answers] == [("G", 4)]
    assert again.page.evaluate("() => Object.keys(localStorage)") == []


def test_a_second_tab_asks_before_it_takes_over(study, open_reader):
    first = open_reader().go_to_case(1)
    second = Reader(first.context, first.link.partition("#")[0]).open()
    second.wait_for_title("This reading is open in another window")
    assert first.sees_image
    second.press("Enter")
    second.wait_for_title("Case 1")
    first.press("g")
    first.wait_for_title("This reading is open in another window")
    assert not first.picture().any()
    second.go_to_case(1).press("r", "2", "Enter")
    second.wait_for_title("Case 2")
    answers = [one for one in commits(study) if one["phase"] == "reading"]
    assert [(one["answer"], one["level"]) for one in answers] == [("R", 2)]


def test_fingers_scroll_zoom_window_turn_and_mark(study, open_reader):
    reader = open_reader(
        viewport={"width": 1024, "height": 768}, has_touch=True, is_mobile=True
    ).go_to_case(1)
    touch = reader.context.new_cdp_session(reader.page)

    def gesture(*path: list[tuple[float, float]]) -> None:
        for kind, points in zip(
            ["touchStart", *["touchMove"] * (len(path) - 1)], path, strict=True
        ):
            places = [dict(zip("xy", reader.at(*point), strict=True)) for point in points]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    start = reader.picture()
    gesture([(0, 0)], [(0, -100)], [(0, -160)])
    assert reader.caption in ("Slice 6 of 8", "Slice 7 of 8")
    gesture([(-40, 0), (40, 0)], [(-60, 0), (60, 0)], [(-90, 0), (90, 0)])
    reader.page.tap("#brightness")
    gesture([(0, 0)], [(60, 30)], [(90, 60)])
    reader.page.tap("#brightness")
    assert (reader.picture() != start).any()
    reader.page.tap("#mip")
    gesture([(0, 0)], [(60, 30)], [(90, 60)])
    reader.page.tap("#mip")
    reader.page.tap("#choices button:nth-child(2)")
    reader.page.tap("#levels button >> nth=3")
    gesture([(20, 10)])
    reader.page.tap("#reasons button >> nth=0")
    reader.page.tap("#next")
    reader.wait_for_title("Case 2")
    answer = commits(study)[-1]
    assert (answer["answer"], answer["level"], len(answer["marks"])) == ("G", 4, 1)
    changed = Counter(
        name
        for record in records(study)
        if record.kind == "interaction"
        for _, name, _ in record.data.get("changes", [])
    )
    assert changed.keys() >= {"slice", "low", "high", "zoom", "mip", "direction"}


@with_all_phases
def test_first_impressions_mention_no_generator(study, open_reader):
    reader = open_reader().go_to_case(1, "Image")
    reader.press("F1")
    assert reader.page.locator("#help").is_visible()
    assert "enerated" not in reader.page.inner_text("body")
    reader.press("Escape")
    reader.wait_for_title("Paused")
    reader.press("Enter")
    assert "enerated" not in reader.page.inner_text("body")


def test_an_incomplete_link_is_told(open_reader, port, browser):
    with browser.new_context() as context:
        stranger = Reader(context, f"http://127.0.0.1:{port}/#abc").open()
        stranger.wait_for_title("Please open your link")
