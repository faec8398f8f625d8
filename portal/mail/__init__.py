"""Letters: written in the transaction that has something to say, sent after it."""
