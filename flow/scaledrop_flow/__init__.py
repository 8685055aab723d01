# SPDX-License-Identifier: Apache-2.0
"""The flow: the command line and the named steps from training to the report."""
