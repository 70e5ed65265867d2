// RUN: loss-opt %s --convert-math-to-vecmath=bits=256 | FileCheck %s

// CHECK-DAG: func.func private @loss_vm_exp_f32x8(vector<8xf32>) -> vector<8xf32>
// CHECK-DAG: func.func private @loss_vm_pow_f64x4(vector<4xf64>, vector<4xf64>) -> vector<4xf64>
// CHECK-DAG: func.func private @loss_vm_sin_unit_f32x8(vector<8xf32>) -> vector<8xf32>

// CHECK-LABEL: func.func @vectors
func.func @vectors(%x: vector<8xf32>, %y: vector<4xf64>) -> (vector<8xf32>, vector<4xf64>, vector<8xf32>) {
  // CHECK: call @loss_vm_exp_f32x8
  %0 = math.exp %x : vector<8xf32>
  // CHECK: call @loss_vm_pow_f64x4
  %1 = math.powf %y, %y : vector<4xf64>
  // What is proved to be within 1 takes the short form.
  // CHECK: call @loss_vm_sin_unit_f32x8
  %2 = math.sin %0 {loss.unit_angle} : vector<8xf32>
  // One instruction: it stays.
  // CHECK: math.sqrt
  %3 = math.sqrt %2 : vector<8xf32>
  return %3, %1, %0 : vector<8xf32>, vector<4xf64>, vector<8xf32>
}

// A number takes one lane of a vector: no scalar function exists.
// CHECK-LABEL: func.func @number
// CHECK-SAME: %[[X:.*]]: f32
// CHECK: %[[V:.*]] = vector.broadcast %[[X]] : f32 to vector<8xf32>
// CHECK: %[[L:.*]] = call @loss_vm_bessel_i1e_f32x8(%[[V]])
// CHECK: vector.extract %[[L]][0]
func.func @number(%x: f32) -> f32 {
  %0 = loss.bessel_i1e %x : f32
  return %0 : f32
}

// The sign of a zero or NaN is the operand itself.
// CHECK-LABEL: func.func @sign
// CHECK-SAME: %[[X:.*]]: f32
// CHECK: %[[LESS:.*]] = arith.cmpf olt, %[[X]]
// CHECK: %[[MORE:.*]] = arith.cmpf ogt, %[[X]]
// CHECK: %[[A:.*]] = arith.select %[[LESS]], %{{.*}}, %[[X]]
// CHECK: arith.select %[[MORE]], %{{.*}}, %[[A]]
func.func @sign(%x: f32) -> f32 {
  %0 = loss.sign %x : f32
  return %0 : f32
}

// Rounding is an instruction, too.
// CHECK-LABEL: func.func @gamma
func.func @gamma(%x: vector<8xf32>, %y: vector<8xf32>) -> vector<8xf32> {
  // CHECK: math.roundeven
  %0 = math.roundeven %x : vector<8xf32>
  // CHECK: call @loss_vm_lgamma_f32x8
  %1 = loss.lgamma %0 : vector<8xf32>
  // CHECK: call @loss_vm_atan2_f32x8
  %2 = math.atan2 %1, %y : vector<8xf32>
  // CHECK: call @loss_vm_xlogy_f32x8
  %3 = loss.xlogy %2, %y : vector<8xf32>
  // CHECK: call @loss_vm_lbeta_f32x8
  %4 = loss.lbeta %3, %y : vector<8xf32>
  // CHECK: call @loss_vm_log_rising_factorial_f32x8
  %5 = loss.log_rising_factorial %4, %y : vector<8xf32>
  // CHECK: call @loss_vm_digamma_difference_f32x8
  %6 = loss.digamma_difference %5, %y : vector<8xf32>
  // CHECK: call @loss_vm_trigamma_difference_f32x8
  %7 = loss.trigamma_difference %6, %y : vector<8xf32>
  return %7 : vector<8xf32>
}
