class GradientReport:
    def __init__(self, leaves):
        self.leaves = leaves
    @property
    def verdict(self):
        for v in ("wrong", "cannot tell", "agree"):
            if any(l.verdict == v for l in self.leaves): return v
        return "agree"
    def __str__(self):
        return "\n".join(f"{l.leaf.path} {l.verdict} {l.cause} {l.mode} at {l.coordinate} row {l.row} AD {l.ad:.8g} FD {l.fd:.8g} ± {l.half:.2g} digits {l.digits:.1f} [{l.asked}]" for l in self.leaves)
