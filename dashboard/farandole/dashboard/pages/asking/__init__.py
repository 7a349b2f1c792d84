"""Questions that pages have and the query client has no words for."""
