"""What people and machines do with commission, one file per family."""
