"""THE MEMORY: tables, the store, sealing, attachments, catalogues, the shared vocabulary."""
