"""Findings: their codes, texts, thresholds and severities."""
