"""Renders markdown with GitHub's own parser and its extensions, and prints as JSON what is live in it: what is outside of code."""

import json
import sys
from collections import Counter
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options

CODE = ("code", "pre")


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links, self.text, self.rows = Counter(), [], [], []
        self.comments, self.code, self.open = [], 0, []

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        self.links += [value for name, value in attributes if name in ("href", "src")]
        if tag == "tr":
            self.rows.append(0)
        elif tag in ("td", "th"):
            self.rows[-1] += 1
        self.code += tag in CODE
        self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            sys.exit(f"</{tag}> closes something else")
        self.code -= tag in CODE

    def handle_comment(self, data):
        self.comments.append(data)

    def handle_data(self, data):
        if not self.code:
            self.text.append(data)


with open(sys.argv[1], encoding="utf-8", newline="") as file:
    html = cmarkgfm.github_flavored_markdown_to_html(file.read(), options=Options.CMARK_OPT_UNSAFE)
reader = Reader()
reader.feed(html)
reader.close()
if reader.open:
    sys.exit(f"not closed: {reader.open}")
json.dump(
    {"tags": reader.tags, "links": reader.links, "text": "".join(reader.text), "columns": reader.rows, "comments": reader.comments},
    sys.stdout,
)
