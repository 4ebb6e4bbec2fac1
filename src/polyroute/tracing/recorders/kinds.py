"""The formats of recorders that are known; apart, so that the command line names them without loading readers."""

from typing import Literal

Format = Literal["json", "csv", "torch", "numpy", "responses", "lines", "parquet", "log"]
"""Paper 2's JSON; CSV of counts; SGLang's torch file; NumPy arrays; answers over HTTP; JSON lines; Parquet; logs."""
