"""What customers owe us and what we owe suppliers, by the months it stems from."""
