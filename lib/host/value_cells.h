/* SPDX-License-Identifier: Apache-2.0 */
/* The cells of a store's values: bytes in and out of them. All under the lock. */
#ifndef JTGI_HOST_VALUE_CELLS_H
#define JTGI_HOST_VALUE_CELLS_H

#include "host/value_layout.h"

/* A copy of the bytes, in cells to which nothing leads; the first is of this kind, and has their
 * length. Returns its number; 0: there are not so many free ones. */
uint32_t jtgi_value_cells_fill_locked(struct jtgi_value_area *area, enum jtgi_value_kind kind,
                                      const void *data, size_t len);

/* The bytes of a cell and of those in which it goes on, to a place for cell->len of them. False: a
 * stray write has broken the row; the place is overwritten in part. */
bool jtgi_value_cells_read_locked(const struct jtgi_value_area *area,
                                  const struct jtgi_value_cell *first, unsigned char *to);

/* Where the byte of this number lies, which is below first->len. NULL: a stray write has broken the
 * row. */
unsigned char *jtgi_value_cells_byte_locked(const struct jtgi_value_area *area,
                                            struct jtgi_value_cell *first, size_t number);

/* Are they these? In a time that tells nothing but their length. */
bool jtgi_value_cells_are_locked(const struct jtgi_value_area *area,
                                 const struct jtgi_value_cell *first, const void *data, size_t len);

/* Wipe a cell to which nothing leads, and those in which it goes on; they are free then. */
void jtgi_value_cells_wipe_locked(struct jtgi_value_area *area, uint32_t number);

/* The same with one cell, which is not put among the free ones. */
void jtgi_value_cell_wipe_locked(struct jtgi_value_cell *cell);

#endif
