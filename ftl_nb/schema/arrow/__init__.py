"""Types as Arrow schemas, and rows of them as record batches. Imports pyarrow, so it is loaded at its first use.

`arrow_schema(schema, type)` is the Arrow schema, which names the type in its metadata, so that `type_of_arrow` gives it
back. `arrow_rows(schema, type, Order)` writes objects to batches and reads them, a column at a time.
A type enum is a struct of a tag and a nullable child a variant rather than a union: Parquet, pandas and most kernels of
Arrow know no unions, and a union cannot be null.
"""

from ftl_nb.schema.arrow.column import ArrowError
from ftl_nb.schema.arrow.reading import type_of_arrow
from ftl_nb.schema.arrow.rows import BATCH_ROWS, ArrowRows, arrow_rows
from ftl_nb.schema.arrow.types import FIELDS_LIMIT, FTL_TYPE, arrow_schema

__all__ = [
    "BATCH_ROWS",
    "FIELDS_LIMIT",
    "FTL_TYPE",
    "ArrowError",
    "ArrowRows",
    "arrow_rows",
    "arrow_schema",
    "type_of_arrow",
]
