"""A figure with a slider: particles on a landscape for the step size that a reader chooses.

All positions and heights are JAX's; the script of the page only shows those of one step size.
It needs no library and no network.
"""

import json
import math
from html import escape

import numpy as np

from gradlab.demo.findings import Slider
from gradlab.plots.style import BLUE, GREY, ORANGE

WIDTH, HEIGHT, MARGIN = 700, 420, 30  # of the drawing, in its own units

SCRIPT = """
for (const figure of document.querySelectorAll("figure[data-slider]")) {
  const choices = JSON.parse(figure.querySelector("script").textContent);
  const input = figure.querySelector("input");
  const show = () => {
    const choice = choices[input.value];
    figure.querySelector(".trail").setAttribute("d", choice.trail);
    figure.querySelector(".now").setAttribute("d", choice.now);
    figure.querySelector("output").textContent = choice.says;
    input.setAttribute("aria-valuetext", choice.says);
  };
  input.addEventListener("input", show);
  show();
}
"""


def slider_figure(slider: Slider) -> str:
    """Return the figure as HTML: a drawing, a slider under it, and what it shows in words."""
    low, high = slider.curve.min(axis=0), slider.curve.max(axis=0)
    scale = np.array([WIDTH - 2 * MARGIN, 2 * MARGIN - HEIGHT]) / (high - low)
    origin = np.array([MARGIN, HEIGHT - MARGIN])

    def line(points: np.ndarray) -> str:
        """Return a polyline through the points as the SVG path that draws it."""
        inside = np.clip(points, low - (high - low), high + (high - low))  # the rest is cut off
        return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in origin + (inside - low) * scale)

    choices = []
    for step_size, path in zip(slider.step_sizes, slider.paths, strict=True):
        before, after = path[0, :, 1].mean(), path[-1, :, 1].mean()
        change = f"the mean height goes from {before:.2f} to {after:.2f}"
        says = f"{step_size:g}: in {len(path) - 1} steps {change}"
        trail = "".join(line(particle) for particle in path.swapaxes(0, 1))
        now = "".join(f"{line(place[None])}h0" for place in path[-1])
        choices.append({"says": says, "trail": trail, "now": now})
    chosen = len(choices) // 4
    first = choices[chosen]
    start = "".join(f"{line(place[None])}h0" for place in slider.paths[0, 0])
    ticks = "".join(
        f'<text x="{origin[0] + (x - low[0]) * scale[0]:.0f}" y="{HEIGHT - 4}">{x:g}</text>'
        for x in range(2 * math.ceil(low[0] / 2), math.floor(high[0]) + 1, 2)
    )
    caption, last = escape(slider.caption), len(choices) - 1
    return f"""<figure data-slider>
<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{caption}" fill="none">
<path d="{line(slider.curve)}" stroke="{GREY}" stroke-width="1.5"/>
<path class="trail" d="{first["trail"]}" stroke="{ORANGE}" stroke-width="1.5"/>
<path d="{start}" stroke="{BLUE}" stroke-width="12" stroke-linecap="round"/>
<path d="{start}" stroke="#fff" stroke-width="9" stroke-linecap="round"/>
<path class="now" d="{first["now"]}" stroke="{BLUE}" stroke-width="12" stroke-linecap="round"/>
<g fill="#333" font-size="18" text-anchor="middle">{ticks}</g>
</svg>
<label class="slide">step size
<input type="range" min="0" max="{last}" step="1" value="{chosen}">
<output>{first["says"]}</output></label>
<script type="application/json">{json.dumps(choices)}</script>
<figcaption>{caption}</figcaption></figure>"""
