"""Style sheet of the reading window: neutral and dark, independent of any theme."""

BACKGROUND = "#1d1d1d"
RAISED = "#2b2b2b"
TEXT = "#e8e8e8"
MUTED = "#a9a9a9"
LINE = "#4a4a4a"
ACCENT = "#8ab8e6"
"""Colour of what is chosen, the same for both answers."""
ON_ACCENT = "#10202f"
ON_IMAGE = "#d8d8d8"
FAINT_ON_IMAGE = "#8a8a8a"

STYLE = f"""
* {{ font-size: 15px; color: {TEXT}; }}
QMainWindow, QWidget#page, QWidget#reading, QWidget#answers, QWidget#side,
QScrollArea, QWidget#text {{ background: {BACKGROUND}; border: none; }}
QWidget#card {{ background: transparent; }}
QWidget#pane, QWidget#pane QWidget {{ background: black; }}
QLabel {{ background: transparent; }}
QLabel#title {{ font-size: 28px; font-weight: 600; }}
QLabel#body {{ font-size: 18px; }}
QLabel#code {{ font-size: 46px; font-weight: 600; letter-spacing: 4px; }}
QLabel#note {{ font-size: 16px; color: {MUTED}; }}
QLabel#question {{ font-size: 15px; color: {MUTED}; }}
QLabel#heading {{ font-size: 15px; font-weight: 600; }}
QLabel#muted, QLabel#anchor {{ color: {MUTED}; font-size: 14px; }}
QLabel#verdict {{
    background: {RAISED}; border: 1px solid {LINE}; border-radius: 6px;
    font-size: 17px; padding: 12px 14px; min-height: 22px;
}}
QPushButton {{
    background: {RAISED}; border: 1px solid {LINE}; border-radius: 6px;
    padding: 8px 14px; min-height: 22px; outline: none;
}}
QPushButton:hover {{ border-color: {MUTED}; }}
QPushButton:pressed {{ background: #383838; }}
QPushButton:checked {{
    background: {ACCENT}; border-color: {ACCENT}; color: {ON_ACCENT};
}}
QPushButton:disabled {{ color: #6c6c6c; border-color: #333333; background: #232323; }}
QPushButton:checked:disabled {{
    background: #3c4852; border-color: #3c4852; color: {TEXT};
}}
QPushButton[main="true"]:enabled {{ border-color: {ACCENT}; }}
QPushButton:focus {{ border: 2px solid #ffffff; padding: 7px 13px; }}
QPushButton[big="true"] {{ font-size: 18px; padding: 12px 18px; }}
QPushButton[big="true"]:focus {{ padding: 11px 17px; }}
QPushButton[chip="true"] {{
    font-size: 14px; padding: 2px 9px; min-height: 20px; text-align: left;
}}
QPushButton[tool="true"] {{ padding: 5px 10px; }}
QPushButton[tool="true"]:focus {{ padding: 4px 9px; }}
QPushButton[chip="true"]:focus {{ padding: 1px 8px; }}
QProgressBar {{
    background: {RAISED}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px;
}}
QProgressBar::chunk {{ background: {MUTED}; border-radius: 3px; }}
QDialog, QDialog QWidget {{ background: {BACKGROUND}; }}
QDialog QLineEdit, QDialog QAbstractItemView, QDialog QComboBox, QDialog QHeaderView::section {{
    background: {RAISED}; selection-background-color: {ACCENT}; selection-color: {ON_ACCENT};
}}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; padding: 4px; }}
QScrollBar:vertical {{ background: {BACKGROUND}; width: 12px; }}
QScrollBar::handle:vertical {{ background: {LINE}; border-radius: 4px; min-height: 30px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
"""
