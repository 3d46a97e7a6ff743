"""The report over capture files: one file a section, pure functions of rows, and the page that shows them."""
