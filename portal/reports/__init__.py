"""Reports: defined once, seen on a page, sent as a letter, downloaded as a spreadsheet, with the same totals everywhere."""
