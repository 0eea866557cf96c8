"""Many media: listed lazily, scored in shards, written as Parquet parts that can be resumed."""
