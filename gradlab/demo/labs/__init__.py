"""The labs, in the order they are run: the name of the module and the title of the lab."""

LABS = {
    "derivatives": "First gradients: a function in, a function out",
    "walks": "A random walk that can be differentiated",
    "particles": "Particles that roll downhill",
    "logistic": "Logistic regression, from four rows to 344 penguins",
    "td": "A gradient that must be stopped",
    "surrogates": "The gradient of a staircase: straight through",
    "per_example": "One gradient for each example",
    "jacobians": "Jacobians and Hessians",
    "differences": "Finite differences, and how they lie",
}
