"""The report: one page of HTML that holds the whole study and needs no network.

`build` puts it together; `study` reads what it is made of; `board` and `answer` make its first screen; each other
module makes the figures of one quantity, for the section of the claims that it bears on (`topics`). `page.css` and
`page.js` are inlined, and so is the plotting library, Vega, as vl-convert carries it.
"""
