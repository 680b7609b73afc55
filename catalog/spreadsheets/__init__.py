"""Spreadsheets of merchants: products, and De/Para.

    file → rows (files) → columns (columns) → what each row does (products, mappings) → jobs

A file is read and judged in the background, and nothing is written before the merchant has seen
what it would do. Reading and writing go in chunks, each with its place in the file in the same
transaction, so that whoever takes over from a dead worker does nothing twice.
"""
