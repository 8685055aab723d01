# SPDX-License-Identifier: Apache-2.0
"""One flip-flop with known energies, to tell how a version of OpenSTA counts internal power."""

__all__ = ["PROBE", "PROBE_J", "PROBE_LIBERTY", "PROBE_PERIOD_S"]

PROBE = """\
module {top} (input clk, input d, output q);
  DFF f (.D(d), .CK(clk), .Q(q));
endmodule
"""
PROBE_PERIOD_S = 10e-9
PROBE_J = {0: 2e-12, 1: 3e-12}
"""Activity to joules a cycle: two clock edges of 1 pJ, and one change of the output of 1 pJ."""

PROBE_LIBERTY = """\
library (probe) {
  delay_model : table_lookup;
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1mA";
  leakage_power_unit : "1nW";
  capacitive_load_unit (1, pf);
  pulling_resistance_unit : "1kohm";
  nom_voltage : 1.0;
  nom_temperature : 25;
  nom_process : 1;
  input_threshold_pct_rise : 50;
  input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50;
  output_threshold_pct_fall : 50;
  slew_lower_threshold_pct_rise : 20;
  slew_lower_threshold_pct_fall : 20;
  slew_upper_threshold_pct_rise : 80;
  slew_upper_threshold_pct_fall : 80;
  operating_conditions ("typical") {
    voltage : 1.0;
    process : 1.0;
    temperature : 25.0;
    tree_type : "balanced_tree";
  }
  default_operating_conditions : "typical";
  lu_table_template (delay) {
    variable_1 : input_net_transition;
    index_1 ("0.1, 1.0");
  }
  power_lut_template (input) {
    variable_1 : input_transition_time;
    index_1 ("0.1, 1.0");
  }
  power_lut_template (output) {
    variable_1 : input_transition_time;
    variable_2 : total_output_net_capacitance;
    index_1 ("0.1, 1.0");
    index_2 ("0.1, 1.0");
  }
  cell (DFF) {
    area : 1;
    ff (IQ, IQN) {
      clocked_on : "CK";
      next_state : "D";
    }
    pin (CK) {
      direction : input;
      clock : true;
      capacitance : 0.001;
      internal_power () {
        rise_power (input) { values ("1.0, 1.0"); }
        fall_power (input) { values ("1.0, 1.0"); }
      }
    }
    pin (D) {
      direction : input;
      capacitance : 0.001;
    }
    pin (Q) {
      direction : output;
      function : "IQ";
      internal_power () {
        related_pin : "CK";
        rise_power (output) { values ("1.0, 1.0", "1.0, 1.0"); }
        fall_power (output) { values ("1.0, 1.0", "1.0, 1.0"); }
      }
      timing () {
        related_pin : "CK";
        timing_type : rising_edge;
        cell_rise (delay) { values ("0.1, 0.1"); }
        cell_fall (delay) { values ("0.1, 0.1"); }
        rise_transition (delay) { values ("0.1, 0.1"); }
        fall_transition (delay) { values ("0.1, 0.1"); }
      }
    }
  }
}
"""
