# SPDX-License-Identifier: Apache-2.0
"""Back ends behind the contract: integer model, float64 PyTorch, RTL under cocotb."""
