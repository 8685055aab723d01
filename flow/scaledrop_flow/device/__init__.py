# SPDX-License-Identifier: Apache-2.0
"""What a person sees of device cards: tables, verdicts of fits, pictures."""
