"""Finding by words: one vocabulary (accents folded, scripts without spaces in bigrams), two engines (FTS5, tsvector).

``index`` and ``remove`` belong into the transaction of what they tell of. ``matching`` is a SELECT of object ids to be
joined by the queue, newest first; ``find`` gives the best few ids. What people type is never a syntax error.
"""

from collab.search.actions import index, remove
from collab.search.models import SearchEntry
from collab.search.queries import asked, find, hits, matching
from collab.search.vocabulary import query_terms, words

__all__ = ["SearchEntry", "asked", "find", "hits", "index", "matching", "query_terms", "remove", "words"]
