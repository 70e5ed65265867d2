// RUN: loss-opt %s --convert-math-to-vecmath --verify-diagnostics

func.func @f(%x: vector<16xf32>) -> vector<16xf32> {
  // expected-error @+1 {{no vector function for 'math.cbrt'}}
  %0 = math.cbrt %x : vector<16xf32>
  return %0 : vector<16xf32>
}
