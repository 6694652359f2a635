"""``lineage.html``: one page that works from disk, with nothing fetched from anywhere."""
