"""Where the evaluation's cards lie: real photographs and pages, fetched once and kept in the cache."""
