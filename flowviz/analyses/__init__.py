"""Measurements over a prompt, or over a set of prompts, behind the VISIT paper's figures."""
