"""What workers run: thin. The rows are the queue; a wake-up only says "look"."""
