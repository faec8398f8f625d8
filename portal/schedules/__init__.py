"""When the house does what: rows, slots, and the seat of the one who keeps them."""
