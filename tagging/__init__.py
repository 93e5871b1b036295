"""The ear: text in; tags, reasons, places, masks and phrases out. Pure, offline, explained."""
