# SPDX-License-Identifier: Apache-2.0
"""Liberty libraries read, and netlists of their cells timed and priced."""
