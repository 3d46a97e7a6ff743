"""The past: records as Parquet files, which `hunt` searches and any other program opens as they lie."""
