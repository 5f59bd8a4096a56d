"""The demo: every lab on the seeds' own input and on real data, with something to look at.

`python -m gradlab.demo` runs it. A lab is a module in `gradlab.demo.labs` with one function,
`run(settings)`, that computes and returns `Findings`; printing, drawing to files and the page are
done here, for all labs alike. To add a lab, write its module, mark the lines that make its numbers
with the comments `# On the page:` and `# (to here)`, and name it in `gradlab.demo.labs`.
"""
