"""What the text of a lesson must not say: coined words, timings, addresses that do not exist."""

import re

COINED = {
    r"push(?:es|ed|ing)?": "change, or sensitivity",
    r"bends?|bending": "curvature, or second derivative",
    r"wiggl\w+|wobbl\w+|rattl\w+": "small change, or noise",
    r"sights?": "evaluation points",
    r"lifted|lifts|lifting": "computed in float64",
    r"deals? out|dealt out": "distribute, or shard",
    r"quarrel\w*|bottom tells|hops?": "the textbook's word",
    r"magic\w*|trick\w*": "what is really done",
    r"simply|just|obviously|of course|easy|easily": "nothing: leave the word out",
    r"shall": "must, or will",
}
ARGUMENT = (
    r"(?:`[^`]+`|[a-zA-Zθμσλ]|(?:the )?(?:mean|sd|theta|mass|speed|height|weights?|step size))"
)
BY = re.compile(
    r"\b(?:gradients?|slopes?|derivatives?|differentiat\w+|sensitivit\w+|Jacobians?|Hessians?) "
    rf"by {ARGUMENT}(?!\w)"
)
FORBIDDEN = {
    r"\b\d[\d.,]* ?(?:ms|µs|ns|milliseconds|microseconds)\b": "a timing: it differs elsewhere",
    r"\$": "a formula that needs MathJax: write it in plain characters",
    r"pip install (?:-\S+ )*(?:jax-)?gradlab\b(?![/.])": "a name that nobody holds",
    r"jax\._src|jax\.config\.update": "a private name, or a change of JAX's configuration",
}
LONGEST = 35  # words of a sentence


def faults_of_text(text: str) -> list[str]:
    """Return what a text, or the source of a cell, says and must not."""
    found = [
        f"“{match[0]}”: write {instead}"
        for pattern, instead in COINED.items()
        for match in re.finditer(rf"\b(?:{pattern})\b", text, re.I)
    ]
    found += [f"“{match[0]}”: write “with respect to”" for match in BY.finditer(text)]
    for pattern, why in FORBIDDEN.items():
        found += [f"“{match[0]}” is {why}" for match in re.finditer(pattern, text)]
    return found


def long_sentences(text: str) -> list[str]:
    """Return the sentences of a text with more words than can be understood at once."""
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    text = re.sub(r"<[^>]+>", "", text)
    text = re.sub(r"`[^`]*`", "code", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*|]|\d+\.) ?)|(?<=\S)\|", text)
    sentences = [
        s for block in blocks for s in re.split(r"(?<=[.!?:;])\s+", " ".join(block.split()))
    ]
    return [
        f"a sentence of {len(s.split())} words: {s}" for s in sentences if len(s.split()) > LONGEST
    ]
