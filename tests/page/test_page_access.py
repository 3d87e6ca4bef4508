"""Everybody can see, hear and reach what the page offers, and nothing else gets in."""

import pytest
from page_browser import Reader

CONTRASTS = """() => {
    const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => {
        const [r, g, b] = colour.map((value) => value / 255)
            .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const [r, g, b, alpha = 1] = channels(getComputedStyle(at).backgroundColor);
            if (alpha > 0) return [r, g, b];
        }
    };
    const found = [];
    for (const element of document.querySelectorAll("body *")) {
        const text = [...element.childNodes]
            .filter((node) => node.nodeType === Node.TEXT_NODE)
            .map((node) => node.textContent.trim()).join("");
        const off = element.closest(":disabled");
        if (!text || off || !element.checkVisibility({ visibilityProperty: true })) continue;
        const opacity = Number(getComputedStyle(element).opacity);
        const back = behind(element);
        const front = channels(getComputedStyle(element).color)
            .map((value, place) => value * opacity + back[place] * (1 - opacity));
        const [dark, bright] = [light(front), light(back)].sort((a, b) => a - b);
        found.push([text, (bright + 0.05) / (dark + 0.05)]);
    }
    return found;
}"""
NAMELESS = """() => [...document.querySelectorAll("button, [role=img], progress")]
    .filter((one) => one.checkVisibility())
    .filter((one) => !(one.ariaLabel || one.textContent.trim() || one.ariaLabelledByElements))
    .map((one) => one.outerHTML)"""


def check(reader: Reader) -> None:
    """Demand WCAG 2.2 AA contrast of all text, and a name of all that can be operated."""
    contrasts = reader.page.evaluate(CONTRASTS)
    assert contrasts
    assert [(text, ratio) for text, ratio in contrasts if ratio < 4.5] == []
    assert reader.page.evaluate(NAMELESS) == []


def test_text_has_contrast_and_controls_have_names_in_every_state(study, open_reader):
    reader = open_reader()
    for title in ("The reading", "Taking part", "Case 1"):
        check(reader.go_to(title))
    check(reader.go_to_case(1))
    reader.press("g", "3")
    reader.page.mouse.click(*reader.at(20, 20))
    reader.page.click("text=Too clean")
    check(reader)
    reader.press("m")
    check(reader)
    reader.press("F1")
    check(reader)
    reader.press("Escape")
    reader.wait_for_title("Paused")
    check(reader)


def test_a_case_can_be_read_with_the_tab_key_alone_and_focus_is_seen(study, open_reader):
    reader = open_reader().go_to_case(1)
    names = []
    for _ in range(30):
        reader.press("Tab")
        name, outline = reader.page.evaluate(
            "() => [document.activeElement.ariaLabel || document.activeElement.textContent,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        if name in names:
            break
        assert outline == "solid", name
        names.append(name)
        if name == "Answer: generated" or name == "4, very sure":
            reader.press("Space")
        if name.startswith("Next"):
            reader.press("Space")
            break
    assert names[:2] == ["Answer: real", "Answer: generated"]
    reader.wait_for_title("Case 2")


def test_keys_of_the_browser_and_of_napari_do_nothing_to_a_case(study, open_reader):
    reader = open_reader().go_to_case(1)
    before = reader.picture()
    for key in ("6", "0", "x", "Delete", "Home", "Control+g", "Alt+r", "ArrowLeft", "Enter"):
        reader.press(key)
    assert reader.look().stage == "answer"
    assert (reader.picture() == before).all()


@pytest.mark.parametrize("kind", ["text/plain", "Files"])
def test_nothing_can_be_dropped_on_the_page(open_reader, kind):
    reader = open_reader().go_to_case(1)
    refused = reader.page.evaluate(
        """(kind) => ["dragover", "drop"].every((name) => {
            const dataTransfer = new DataTransfer();
            if (kind === "Files") dataTransfer.items.add(new File(["x"], "x.html"));
            else dataTransfer.setData(kind, "http://elsewhere.test/");
            const event = new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true });
            document.querySelector(".pane").dispatchEvent(event);
            return event.defaultPrevented;
        })""",
        kind,
    )
    assert refused
    assert reader.sees_image


def test_the_page_asks_its_own_server_only_and_runs_nothing_foreign(study, open_reader, port):
    reader = open_reader()
    asked = []
    reader.page.on("request", lambda request: asked.append(request.url))
    reader.page.reload()
    reader.go_to_case(1).press("g", "3", "Enter")
    reader.wait_for_title("Case 2")
    assert asked
    own = f"http://127.0.0.1:{port}/"
    assert [url for url in asked if not url.startswith((own, "data:"))] == []
    reader.page.evaluate(
        """() => {
            document.body.insertAdjacentHTML("beforeend", '<img src="x" onerror="window.bad = 1">');
            const script = document.createElement("script");
            script.textContent = "window.bad = 1";
            document.body.append(script);
        }"""
    )
    assert reader.page.evaluate("() => window.bad") is None
    assert len(reader.complaints) >= 1
    reader.complaints.clear()
