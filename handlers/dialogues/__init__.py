"""The dialogues, one file each; a new file with a DIALOGUE in it is all a new one takes."""
