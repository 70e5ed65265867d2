// RUN: loss-opt %s --convert-loss-to-vector=bits=512 --split-input-file | FileCheck %s --check-prefixes=CHECK,V4
// RUN: loss-opt %s --convert-loss-to-vector=bits=128 --split-input-file | FileCheck %s --check-prefixes=CHECK,V2

// A loop over the rows; in it a loop over whole vectors and one over the masked rest.
// CHECK-LABEL: func.func @sum(
// CHECK-SAME: %[[ARGS:.*]]: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64, %[[SCRATCH:.*]]: !llvm.ptr) -> i64 attributes {loss.mode = "value", loss.scratch_rows = 0 : i32, loss.target = "none"}
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %{{.*}} step
// A light body is unrolled, with an accumulator for each part.
// V4: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// V2: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>)
// V4-COUNT-4: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
// V2-COUNT-4: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<4xf32>
// CHECK: vector.create_mask
// CHECK: llvm.intr.masked.load
// CHECK: vector.reduction <add>
// CHECK: llvm.store %{{.*}}, %{{.*}} : f32, !llvm.ptr
// No class index to be wrong: all rows are done.
// CHECK: return %{{.*}} : i64
loss.kernel @sum attributes {element = f32, grads = 0 : i32, inputs = 1 : i32, mode = "value", params = 0 : i32, target = "none"} {
^bb0(%x: !loss.row<f32>, %scale: f32):
  %0 = loss.phase reads(%x : !loss.row<f32>) writes() reduces [#loss<reduction sum>] -> f32 {
  ^bb0(%e: f32):
    loss.phase_yield reduce(%e : f32) write()
  }
  loss.kernel_return %0 : f32
}

// -----

// Class indices are checked for the whole range, as unsigned numbers, before any row is begun. The
// class is found by comparing lane numbers; nothing is stored for it.
// CHECK-LABEL: func.func @index(
// CHECK-SAME: %[[BEGIN:[a-z0-9]*]]: i64, %[[END:[a-z0-9]*]]: i64,
// CHECK: %[[STOP:.*]] = scf.for %{{.*}} = %[[BEGIN]] to %[[END]]
// CHECK: arith.cmpi uge, %{{.*}}, %{{.*}} : i64
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[STOP]]
// V4: arith.cmpi eq, %{{.*}}, %{{.*}} : vector<8xi32>
// V2: arith.cmpi eq, %{{.*}}, %{{.*}} : vector<2xi32>
// V4: llvm.intr.masked.store %{{.*}} : vector<8xf64>
// V2: llvm.intr.masked.store %{{.*}} : vector<2xf64>
// CHECK: %[[ALL:.*]] = arith.cmpi eq, %[[STOP]], %[[END]]
// CHECK: %[[STATUS:.*]] = arith.select %[[ALL]], %{{.*}}, %[[STOP]]
// CHECK: return %[[STATUS]]
loss.kernel @index attributes {element = f64, grads = 1 : i32, inputs = 2 : i32, mode = "grad", params = 1 : i32, target = "index"} {
^bb0(%x: !loss.row<f64>, %t: i64, %c: f64, %g: !loss.row<f64>, %scale: f64):
  %0 = loss.load %x[%t] : !loss.row<f64> -> f64
  loss.phase reads(%x : !loss.row<f64>) writes(%g : !loss.row<f64>) reduces [] {
  ^bb0(%e: f64):
    %is = loss.is_class %t
    %v = arith.select %is, %e, %c : f64
    %scaled = arith.mulf %v, %scale : f64
    loss.phase_yield reduce() write(%scaled : f64)
  }
  loss.kernel_return %0 : f64
}

// -----

// Every row of scratch lies behind the one before it. A heavy body is masked throughout where masks
// are cheap.
// CHECK-LABEL: func.func @scratch(
// CHECK-SAME: loss.scratch_rows = 2 : i32
// V4-NOT: llvm.load {{.*}} -> vector
// V4: llvm.intr.masked.load
// V2: llvm.load {{.*}} -> vector<4xf32>
loss.kernel @scratch attributes {element = f32, grads = 0 : i32, inputs = 1 : i32, mode = "value", params = 0 : i32, target = "none"} {
^bb0(%x: !loss.row<f32>, %scale: f32):
  %a = loss.scratch : !loss.row<f32>
  %b = loss.scratch : !loss.row<f32>
  %0 = loss.phase reads(%x : !loss.row<f32>) writes(%a, %b : !loss.row<f32>, !loss.row<f32>) reduces [#loss<reduction min>] -> f32 {
  ^bb0(%e: f32):
    %1 = math.exp %e : f32
    %2 = math.sin %1 : f32
    %3 = math.erf %2 : f32
    loss.phase_yield reduce(%3 : f32) write(%1, %2 : f32, f32)
  }
  loss.kernel_return %0 : f32
}
