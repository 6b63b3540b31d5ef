"""Numbers and words of face swapping: standard library and numpy only. No I/O, no threads, no clock, no cv2."""
