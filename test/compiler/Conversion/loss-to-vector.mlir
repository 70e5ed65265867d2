// RUN: loss-opt %s --convert-loss-to-vector=bits=512 --split-input-file | FileCheck %s --check-prefixes=CHECK,V4
// RUN: loss-opt %s --convert-loss-to-vector=bits=128 --split-input-file | FileCheck %s --check-prefixes=CHECK,V2

// A loop over the rows; in it a loop over whole vectors and one over the masked rest.
// CHECK-LABEL: func.func @sum(
// CHECK-SAME: %[[ARGS:.*]]: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64, %[[SCRATCH:.*]]: !llvm.ptr) -> i64
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %{{.*}} step
// A row of weight 0 is not evaluated.
// CHECK: arith.cmpf une
// CHECK: scf.if
// A light body is unrolled, with an accumulator for each part.
// V4: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// V2: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>)
// V4-COUNT-4: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
// V2-COUNT-4: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<4xf32>
// V4: vector.create_mask
// Before AVX memory knows no masks: one element at a time.
// V2-NOT: vector.create_mask
// CHECK: llvm.intr.masked.load
// CHECK: vector.reduction <add>
// CHECK: llvm.store %{{.*}}, %{{.*}} : f32, !llvm.ptr
// No class index to be wrong: all rows are done.
// CHECK: return %{{.*}} : i64
loss.kernel @sum attributes {axes = #loss.axes<batch, class>, element = f32, mode = "value", returns = [#loss.role<value 0>], roles = [#loss.role<input 0>, #loss.role<weights 0>, #loss.role<scale 0>], row_axis = "batch", target = "none"} {
^bb0(%x: !loss.array<f32, <class>>, %weight: f32, %scale: f32):
  %0 = loss.phase over <class> reads(%x : !loss.array<f32, <class>>) along [#loss.axes<class>] writes() reduces [#loss<reduction sum>] -> f32 {
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
loss.kernel @index attributes {axes = #loss.axes<batch, class>, class_axis = "class", element = f64, mode = "grad", returns = [#loss.role<value 0>], roles = [#loss.role<input 0>, #loss.role<input 1>, #loss.role<param 0>, #loss.role<grad 0>, #loss.role<scale 0>], row_axis = "batch", target = "index"} {
^bb0(%x: !loss.array<f64, <class>>, %t: i64, %c: f64, %g: !loss.array<f64, <class>>, %scale: f64):
  %0 = loss.load %x[%t] : !loss.array<f64, <class>> -> f64
  loss.phase over <class> reads(%x : !loss.array<f64, <class>>) along [#loss.axes<class>] writes(%g : !loss.array<f64, <class>>) reduces [] {
  ^bb0(%e: f64):
    %is = loss.is_class %t over "class"
    %v = arith.select %is, %e, %c : f64
    %scaled = arith.mulf %v, %scale : f64
    loss.phase_yield reduce() write(%scaled : f64)
  }
  loss.kernel_return %0 : f64
}

// -----

// A function says how much scratch a call needs. A heavy body is masked throughout where masks
// are cheap.
// CHECK-LABEL: func.func @scratch(
// V4-NOT: llvm.load {{.*}} -> vector
// V4: llvm.intr.masked.load
// V2: llvm.load {{.*}} -> vector<4xf32>
// CHECK-LABEL: func.func @scratch_scratch(
// CHECK-SAME: !llvm.ptr) -> i64
loss.kernel @scratch attributes {axes = #loss.axes<batch, class>, element = f32, mode = "value", returns = [#loss.role<value 0>], roles = [#loss.role<input 0>, #loss.role<weights 0>, #loss.role<scale 0>], row_axis = "batch", target = "none"} {
^bb0(%x: !loss.array<f32, <class>>, %weight: f32, %scale: f32):
  %a = loss.scratch : !loss.array<f32, <class>>
  %b = loss.scratch : !loss.array<f32, <class>>
  %0 = loss.phase over <class> reads(%x : !loss.array<f32, <class>>) along [#loss.axes<class>] writes(%a, %b : !loss.array<f32, <class>>, !loss.array<f32, <class>>) reduces [#loss<reduction min>] -> f32 {
  ^bb0(%e: f32):
    %1 = math.exp %e : f32
    %2 = math.sin %1 : f32
    %3 = math.erf %2 : f32
    loss.phase_yield reduce(%3 : f32) write(%1, %2 : f32, f32)
  }
  loss.kernel_return %0 : f32
}

// -----

// A sum over an outer axis is formed in memory, with what rounding loses in an array beside it.
// CHECK-LABEL: func.func @outerSum(
// CHECK: scf.for
// CHECK: %[[TERM:.*]] = arith.subf
// CHECK: %[[NEXT:.*]] = arith.addf %{{.*}}, %[[TERM]]
// CHECK: %[[ADDED:.*]] = arith.subf %[[NEXT]]
// CHECK: %[[ERROR:.*]] = arith.subf %[[ADDED]], %[[TERM]]
// CHECK: arith.cmpf ord, %[[ERROR]], %[[ERROR]]
// CHECK-LABEL: func.func @outerSum_scratch(
loss.kernel @outerSum attributes {axes = #loss.axes<batch, position, class>, element = f32, mode = "value", returns = [], roles = [#loss.role<input 0>, #loss.role<value 0>], row_axis = "batch", target = "none"} {
^bb0(%x: !loss.array<f32, <position, class>>, %value: !loss.array<f32, <class>>):
  loss.phase over <position, class> reads(%x : !loss.array<f32, <position, class>>) along [#loss.axes<position, class>] writes() into(%value : !loss.array<f32, <class>>) reduces [#loss<reduction sum>] {
  ^bb0(%e: f32):
    loss.phase_yield reduce(%e : f32) write()
  }
  loss.kernel_return
}

// -----

// A product of matrices: sums of a tile stay in registers while the reduced axis is walked, in
// blocks; nothing is read back.
// CHECK-LABEL: func.func @product(
// V4: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// V4: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// V4-COUNT-4: arith.addf %{{.*}} fastmath<contract> : vector<16xf32>
// V4-COUNT-4: arith.addf %{{.*}} fastmath<contract> : vector<16xf32>
// V4-COUNT-4: llvm.store %{{.*}} {alignment = 4 : i64} : vector<16xf32>
// CHECK: llvm.intr.masked.store
// CHECK: return
// CHECK-NOT: @product_scratch
loss.kernel @product attributes {axes = #loss.axes<row, column, dim>, element = f32, mode = "value", returns = [], roles = [#loss.role<input 0>, #loss.role<input 1>, #loss.role<value 0>], target = "none"} {
^bb0(%x: !loss.array<f32, <row, dim>>, %y: !loss.array<f32, <dim, column>>, %value: !loss.array<f32, <row, column>>):
  loss.phase over <row, dim, column> reads(%x, %y : !loss.array<f32, <row, dim>>, !loss.array<f32, <dim, column>>) along [#loss.axes<row, dim>, #loss.axes<dim, column>] writes() into(%value : !loss.array<f32, <row, column>>) reduces [#loss<reduction sum>] {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.mulf %a, %b : f32
    loss.phase_yield reduce(%0 : f32) write()
  }
  loss.kernel_return
}
