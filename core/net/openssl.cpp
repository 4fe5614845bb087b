#include "core/net/openssl.hpp"

#include <arpa/inet.h>

#include <array>
#include <string_view>

namespace jackfield::net {
namespace {

using OwnedNames = OpenSsl<GENERAL_NAMES, GENERAL_NAMES_free>;

std::string_view octets_of(const ASN1_STRING* string) {
  const auto* octets = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
  return {octets, static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string address_text(std::string_view octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = octets.size() == 4 ? AF_INET : AF_INET6;
  if (octets.size() != 4 && octets.size() != 16) return {};
  if (inet_ntop(family, octets.data(), text.data(), text.size()) == nullptr) return {};
  return text.data();
}

std::string name_of_kind(const GENERAL_NAME& name, int kind) {
  if (name.type != kind) return {};
  if (kind == GEN_IPADD) return address_text(octets_of(name.d.iPAddress));
  const std::string_view text = octets_of(name.d.ia5);
  // "bank.example\0.evil.example" must not pass for the first part of it.
  return text.find('\0') == std::string_view::npos ? std::string(text) : std::string();
}

}  // namespace

std::string take_openssl_reason() {
  const unsigned long error = ERR_peek_error();
  const char* const reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  std::string text = reason == nullptr ? "an unknown reason" : reason;
  ERR_clear_error();
  return text;
}

std::string name_text(const X509_NAME* name) {
  const OwnedBio output(BIO_new(BIO_s_mem()));
  if (output == nullptr || name == nullptr) return {};
  constexpr unsigned long kForm =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  if (X509_NAME_print_ex(output.get(), name, 0, kForm) < 0) return {};
  char* text = nullptr;
  const long size = BIO_get_mem_data(output.get(), &text);
  return size <= 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
}

std::string serial_text(const X509* certificate) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  const OpenSsl<BIGNUM, BN_free> number(ASN1_INTEGER_to_BN(serial, nullptr));
  char* const digits = number == nullptr ? nullptr : BN_bn2hex(number.get());
  if (digits == nullptr) return {};
  std::string text = digits;
  OPENSSL_free(digits);
  return text;
}

std::string sha256(std::string_view octets) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(octets.data(), octets.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1)
    return {};
  return {reinterpret_cast<const char*>(digest.data()), length};
}

void append_alternative_names(const X509* certificate, int kind, std::vector<std::string>& names) {
  const OwnedNames found(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (found == nullptr) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(found.get()); ++i) {
    std::string name = name_of_kind(*sk_GENERAL_NAME_value(found.get(), i), kind);
    if (!name.empty()) names.push_back(std::move(name));
  }
}

}  // namespace jackfield::net
