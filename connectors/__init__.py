"""From the field's files to sealed lines, and receipts back. The library is ``connectors.delivery.connector``."""
