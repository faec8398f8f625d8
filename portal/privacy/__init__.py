"""What the law on personal data asks for: forgetting in time, who looked, and what we know of somebody."""
