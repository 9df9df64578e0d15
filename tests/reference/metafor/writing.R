# Shared by the make_*.R scripts: packages, convergence, and how numbers are written down.

suppressPackageStartupMessages({
  library(metafor)
  library(jsonlite)
})

here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))))
versions <- list(R = as.character(getRversion()), metafor = as.character(packageVersion("metafor")),
                 metadat = as.character(packageVersion("metadat")))
tight <- list(threshold = 1e-13, tol = 1e-13, maxiter = 10000)

put <- function(x, file) {
  text <- toJSON(c(list(versions = versions), x), digits = I(15), auto_unbox = TRUE, null = "null", na = "null")
  write(text, file.path(here, file))
}
number <- function(x) if (is.null(x) || length(x) == 0 || is.na(x)) NULL else as.numeric(x)
numbers <- function(x) I(as.numeric(x))
