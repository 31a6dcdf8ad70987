"""Figures for heads and viewers, and the tables that leave the portal.

``tables`` is the one writer of CSV and XLSX: every cell is safe to open in a spreadsheet.
"""
